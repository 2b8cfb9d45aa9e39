//! Servers that are not what a run hopes for.

use std::io::{Read, Result, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// How a fake server behaves to all who connect.
#[derive(Clone, Copy)]
pub enum Fake {
    /// It takes the connection and says nothing.
    Silent,
    /// It ends the connection.
    Gone,
    /// It speaks another protocol.
    Stranger,
    /// It refuses the password.
    WrongPassword,
    /// It is PostgreSQL 9.6.
    Old,
}

/// Starts the server and returns its port; it ends with the test's process.
pub fn start(fake: Fake) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that has heard enough hangs up, which is no failure here.
            std::thread::spawn(move || serve(stream, fake));
        }
    });
    port
}

fn serve(mut stream: TcpStream, fake: Fake) -> Result<()> {
    match fake {
        Fake::Gone => return Ok(()),
        Fake::Silent => return std::io::copy(&mut stream, &mut std::io::sink()).map(drop),
        Fake::Stranger => return stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        Fake::WrongPassword | Fake::Old => {}
    }
    // The first word may be the question whether encryption is on offer.
    while startup(&mut stream)? == 80_877_103 {
        stream.write_all(b"N")?;
    }
    if matches!(fake, Fake::WrongPassword) {
        message(&mut stream, b'R', &3u32.to_be_bytes())?;
        body(&mut stream)?;
        return message(&mut stream, b'E', b"SFATAL\0C28P01\0Mpassword authentication failed\0\0");
    }
    message(&mut stream, b'R', &0u32.to_be_bytes())?;
    message(&mut stream, b'Z', b"I")?;
    loop {
        match body(&mut stream)? {
            // The parts of a statement are answered as they come, each question for the version alike.
            b'P' => message(&mut stream, b'1', b"")?,
            b'D' => {
                message(&mut stream, b't', &0u16.to_be_bytes())?;
                let column = |name: &[u8], kind: u32, size: i16| {
                    [name, b"\0\0\0\0\0\0\0", &kind.to_be_bytes(), &size.to_be_bytes(), &[0xff; 4], &[0, 0]]
                        .concat()
                };
                let columns = [column(b"a", 25, -1), column(b"b", 25, -1), column(b"c", 23, 4)].concat();
                message(&mut stream, b'T', &[&3u16.to_be_bytes()[..], &columns].concat())?;
            }
            b'B' => message(&mut stream, b'2', b"")?,
            b'E' => {
                let value =
                    |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
                let row =
                    [value(b"PostgreSQL 9.6.24"), value(b"9.6.24"), value(&90_624u32.to_be_bytes())].concat();
                message(&mut stream, b'D', &[&3u16.to_be_bytes()[..], &row].concat())?;
                message(&mut stream, b'C', b"SELECT 1\0")?;
            }
            b'S' => message(&mut stream, b'Z', b"I")?,
            b'X' => return Ok(()),
            _ => {}
        }
    }
}

/// Reads the message that opens a connection, which has no letter, and returns its code.
fn startup(stream: &mut TcpStream) -> Result<u32> {
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    let [length, code] = [&head[..4], &head[4..]].map(|word| u32::from_be_bytes(word.try_into().unwrap()));
    stream.read_exact(&mut vec![0; length as usize - 8])?;
    Ok(code)
}

/// Reads a message and returns its letter.
fn body(stream: &mut TcpStream) -> Result<u8> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes(head[1..].try_into().unwrap());
    stream.read_exact(&mut vec![0; length as usize - 4])?;
    Ok(head[0])
}

fn message(stream: &mut TcpStream, letter: u8, body: &[u8]) -> Result<()> {
    let length = u32::try_from(body.len()).unwrap() + 4;
    stream.write_all(&[&[letter], &length.to_be_bytes()[..], body].concat())
}
