//! The unprivileged user that PostgreSQL runs as when we are root, which it refuses to be.

use rustix::process::geteuid;

/// A user from `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceUser {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl ServiceUser {
    /// The user to become: none if we are unprivileged already, an error if there is none.
    pub(crate) fn to_become() -> Result<Option<Self>, String> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        match Self::among(&users) {
            Some(user) => Ok(Some(user)),
            None => Err("PostgreSQL refuses to run as root, and this machine has neither a user \
                         \"postgres\" nor a user \"nobody\" to run it as"
                .to_owned()),
        }
    }

    fn among(users: &str) -> Option<Self> {
        let find = |name: &str| {
            users.lines().find_map(|line| {
                let mut fields = line.split(':');
                let found = fields.next() == Some(name);
                let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
                (found && uid != 0).then(|| Self { name: name.to_owned(), uid, gid })
            })
        };
        find("postgres").or_else(|| find("nobody"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("root:x:0:0::/:/bin/sh\npostgres:x:114:121:,,,:/var:/bin/sh", Some(("postgres", 114, 121)))]
    #[case("root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false", Some(("nobody", 65534, 65534)))]
    #[case("postgres:x:0:0::/:/bin/sh\nbroken line\nnobody:x:99:98::/:", Some(("nobody", 99, 98)))]
    #[case("root:x:0:0::/:/bin/sh", None)]
    fn the_user_is_never_root(#[case] users: &str, #[case] expected: Option<(&str, u32, u32)>) {
        let found = ServiceUser::among(users);
        let found = found.as_ref().map(|u| (u.name.as_str(), u.uid, u.gid));
        assert_eq!(found, expected);
    }
}
