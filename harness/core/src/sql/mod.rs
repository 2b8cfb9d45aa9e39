//! SQL as text: lexing, splitting and canonical spelling, for both dialects.
//!
//! Everything here works on tokens and so understands every statement a server understands,
//! also those that no parser accepts. [`lex`] is the foundation: it never fails and never loses a
//! byte. [`split`] finds where statements end, [`canonical`] gives a text one stable spelling, and
//! [`leading_words`] and its neighbours answer small questions about one statement.

mod canonical;
mod dialect;
mod expression;
mod facts;
mod lex;
mod names;
mod number;
mod position;
mod quote;
mod split;
#[cfg(test)]
mod testing;
mod view;
mod write;

pub use canonical::{canonical, tokens_equal};
pub(crate) use expression::{expression, parsed_statements, query};
pub use facts::{
    comments, dropped_from_the_server, ends_transaction, is_blank, leading_words, opens_transaction,
    reaches_for_a_file, words,
};
pub use lex::{Lexer, Token, TokenKind, lex};
pub use position::{column_of, line_of};
pub use split::{Statement, Statements, piece, split, statements};
pub use view::canonical_view;
pub use write::{quoted_identifier, quoted_string};

/// The parser's rules for a backend, for what must be understood.
pub(crate) fn parser_dialect(backend: crate::Backend) -> &'static dyn sqlparser::dialect::Dialect {
    dialect::Dialect::of(backend).parser
}
