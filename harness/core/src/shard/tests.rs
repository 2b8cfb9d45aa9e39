use rstest::rstest;

use super::*;

#[rstest]
#[case::the_first("1/3", Ok("1/3"))]
#[case::the_last("3/3", Ok("3/3"))]
#[case::none("0/3", Err("there is no shard \"0/3\": write which one of how many, from 1/3 to 3/3"))]
#[case::one_too_many("4/3", Err("there is no shard \"4/3\": write which one of how many, from 1/3 to 3/3"))]
#[case::of_none("1/0", Err("there is no shard \"1/0\": write which one of how many, from 1/3 to 3/3"))]
#[case::letters("a/b", Err("there is no shard \"a/b\": write which one of how many, from 1/3 to 3/3"))]
#[case::signs("+1/3", Err("there is no shard \"+1/3\": write which one of how many, from 1/3 to 3/3"))]
#[case::nothing("", Err("there is no shard \"\": write which one of how many, from 1/3 to 3/3"))]
#[case::one_number("2", Err("there is no shard \"2\": write which one of how many, from 1/3 to 3/3"))]
fn a_shard_is_one_of_how_many(#[case] text: &str, #[case] expected: Result<&str, &str>) {
    let shard = text.parse::<Shard>().map(|shard| shard.to_string()).map_err(|error| error.to_string());
    assert_eq!(shard.as_deref().map_err(String::as_str), expected);
}
