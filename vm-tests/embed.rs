//! The example for embedders does what it says. Its file is compiled in here, so that it is run and not
//! only built.

#[path = "../examples/embed.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example has a main of its own")]
mod example;

use serde_json::json;

#[tokio::test]
async fn the_example_for_embedders_works() {
    let dir = tempfile::tempdir().unwrap();
    let answers = example::tour(dir.path()).await.unwrap();
    let expected = example::Answers {
        replies: vec![
            "Hello, Ann! You said: good morning".to_owned(),
            "Unknown command: !wether. Try !help".to_owned(),
        ],
        sum: json!({ "sum": 3 }),
        listed: (vec!["greet".to_owned()], vec!["add".to_owned()]),
    };
    assert_eq!(answers, expected);
}
