//! What grows a little with each call, out of sight of any single one.

use super::check::{check_all, chunk};

#[test]
fn what_calls_add_up_to_is_bounded() {
    let hundred = "1,".repeat(100);
    check_all(vec![
        chunk(
            "values in ... that each call adds to, copied many times at once",
            "limit",
            format!(
                "local function grow(n, ...)
                    if n > 0 then return grow(n - 1, {hundred} ...) end
                    local a, b, c, d, e, f, g, h = {{...}}, {{...}}, {{...}}, {{...}}, {{...}}, {{...}}, {{...}}, {{...}}
                    return #a
                end
                return grow(3000)"
            ),
        ),
        chunk(
            "values that fit are passed on",
            "reply",
            "local function count(...) return select('#', ...) end
             assert(count(unpack({}, 1, 8000)) == 8000)",
        ),
        chunk(
            "prints inside prints, each with a long line under way",
            "memory|runtime",
            "local long = ('x'):rep(8000)
             local t t = setmetatable({}, {__tostring = function() print(long, t) return '' end})
             print(long, t)",
        ),
        chunk(
            "substitutions inside substitutions, each with a long result under way",
            "memory|runtime",
            "local long = ('x'):rep(100000) .. 'yz'
             local function again(found)
                 if found == 'y' then return '' end
                 return (long:gsub('[yz]', again))
             end
             again()",
        ),
        chunk(
            "sorts inside comparisons",
            "memory|runtime",
            "local t = {} for i = 1, 1000 do t[i] = i end
             local function less() table.sort(t, less) return true end
             table.sort(t, less)",
        ),
    ]);
}
