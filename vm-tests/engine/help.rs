//! What scripts say of themselves, and where it is shown.

use serde_json::json;

use super::Peer;

const ECHO: &str = "function handle(args) return '[' .. args .. ']' end";

const WEATHER: &str = "--- The weather of a city
--- @param city string Which city
--- @returns degrees and a word
--- @example !weather London
--- @rate_limit 5
function handle(args) return 'cold' end
function call(request) return 'cold' end";

#[tokio::test]
async fn the_built_in_help_lists_and_explains() {
    let peer =
        Peer::with(&[("echo.lua", ECHO), ("score.lua", "function call() end"), ("weather.lua", WEATHER)]);
    let list =
        "Available commands:\n  !echo\n  !weather: The weather of a city\n!help NAME tells more about one";
    assert_eq!(peer.chat("!help").await.as_deref(), Some(list));
    let details = "!weather: The weather of a city\n  city (string) Which city\nReturns: degrees and a word\n\
                   Example: !weather London\nLimit: 5 a minute for each peer";
    assert_eq!(peer.chat("!help weather").await.as_deref(), Some(details));
    assert_eq!(peer.chat("!help !weather").await.as_deref(), Some(details));
    assert_eq!(peer.chat("!help echo").await.as_deref(), Some("!echo"));
    let itself = "!help: Lists the commands of this peer; !help NAME explains one";
    assert_eq!(peer.chat("!help help").await.as_deref(), Some(itself));
    assert_eq!(peer.chat("!help !help").await.as_deref(), Some(itself));
    let unknown = "Unknown command: !score. Try !help";
    assert_eq!(peer.chat("!help score").await.as_deref(), Some(unknown), "it is no chat command");
}

#[tokio::test]
async fn the_built_in_help_gives_way_to_the_owners() {
    let peer =
        Peer::with(&[("echo.lua", ECHO), ("help.lua", "function handle(args) return 'mine ' .. args end")]);
    assert_eq!(peer.chat("!help echo").await.as_deref(), Some("mine echo"));
}

#[tokio::test]
async fn a_slip_is_answered_with_the_likely_command_after_the_specified_text() {
    let peer = Peer::with(&[("weather.lua", WEATHER), ("score.lua", "function call() end")]);
    for (text, reply) in [
        ("!wether", "Unknown command: !wether. Try !help (did you mean !weather?)"),
        ("!hepl", "Unknown command: !hepl. Try !help (did you mean !help?)"),
        ("!helpp me", "Unknown command: !helpp. Try !help (did you mean !help?)"),
        ("!scor", "Unknown command: !scor. Try !help"),
        ("!xyz", "Unknown command: !xyz. Try !help"),
    ] {
        assert_eq!(peer.chat(text).await.as_deref(), Some(reply), "{text}");
    }
}

#[tokio::test]
async fn data_functions_are_listed_with_what_they_say_and_nothing_else() {
    let peer =
        Peer::with(&[("bare.lua", "function call() end"), ("weather.lua", WEATHER), ("echo.lua", ECHO)]);
    assert_eq!(
        serde_json::to_value(peer.engine.functions()).unwrap(),
        json!([
            {"name": "bare", "description": ""},
            {
                "name": "weather",
                "description": "The weather of a city",
                "params": [{"name": "city", "type": "string", "description": "Which city"}],
                "returns": "degrees and a word",
                "example": "!weather London",
                "rate_limit": 5,
            },
        ])
    );
}
