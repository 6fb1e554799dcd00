//! Reference Lua 5.1, in this process.

use std::thread_local;

use mlua::{Function, Lua, MultiValue, Value};

/// `pcall`, but with the positions of what was raised left out: only reference Lua has them here.
const PROTECTED: &str = "
    local function call(name, ...)
        local at = _G
        for part in name:gmatch('[^.]+') do at = at[part] end
        return pcall(at, ...)
    end
    function all_matches(s, p)
        return pcall(function()
            local all = {}
            for a, b, c in s:gmatch(p) do
                all[#all + 1] = tostring(a) .. ';' .. tostring(b) .. ';' .. tostring(c)
            end
            return table.concat(all, '|')
        end)
    end
    return call
";

thread_local! {
    static REFERENCE: (Lua, Function) = {
        let lua = Lua::new();
        let call = lua.load(PROTECTED).eval().expect("the helper is Lua");
        (lua, call)
    };
}

/// An argument or a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain {
    /// `nil`.
    Nil,
    /// `true`, `false`.
    Boolean(bool),
    /// Any number.
    Number(f64),
    /// Any string.
    Text(Vec<u8>),
}

impl From<&[u8]> for Plain {
    fn from(text: &[u8]) -> Self {
        Self::Text(text.to_vec())
    }
}

/// What the library function `name` gives, or the message that it raises.
pub fn call(name: &str, arguments: &[Plain]) -> Result<Vec<Plain>, String> {
    REFERENCE.with(|(lua, call)| {
        let mut values = MultiValue::new();
        values.push_back(Value::String(lua.create_string(name).expect("memory")));
        for argument in arguments {
            values.push_back(match argument {
                Plain::Nil => Value::Nil,
                Plain::Boolean(flag) => Value::Boolean(*flag),
                Plain::Number(number) => Value::Number(*number),
                Plain::Text(text) => Value::String(lua.create_string(text).expect("memory")),
            });
        }
        let mut results = call.call::<MultiValue>(values).expect("pcall does not raise").into_iter();
        let fine = results.next() == Some(Value::Boolean(true));
        let results: Vec<Plain> = results.map(plain).collect();
        match (fine, results.as_slice()) {
            (true, _) => Ok(results),
            (false, [Plain::Text(message)]) => Err(String::from_utf8_lossy(message).into_owned()),
            (false, other) => panic!("the reference raised {other:?}"),
        }
    })
}

fn plain(value: Value) -> Plain {
    match value {
        Value::Nil => Plain::Nil,
        Value::Boolean(flag) => Plain::Boolean(flag),
        Value::Integer(integer) => Plain::Number(integer as f64),
        Value::Number(number) => Plain::Number(number),
        Value::String(text) => Plain::Text(text.as_bytes().to_vec()),
        other => panic!("the reference gave a {}", other.type_name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_lua_5_1() {
        assert_eq!(
            call("string.find", &[b"abc"[..].into(), b"b()"[..].into()]),
            Ok(vec![Plain::Number(2.0), Plain::Number(2.0), Plain::Number(3.0)])
        );
        assert_eq!(
            call("string.rep", &[Plain::Nil]),
            Err("bad argument #1 to '?' (string expected, got nil)".to_owned())
        );
        assert_eq!(call("tostring", &[Plain::Number(1e15)]), Ok(vec![Plain::Text(b"1e+15".to_vec())]));
    }
}
