//! Memory full of garbage is not full.

use super::check::{check_all_asked, chunk};

/// The memory is full of garbage when a native asks for more: it must get it after a collection, whichever way the
/// native goes on afterwards.
#[test]
fn natives_that_need_a_collection_get_it() {
    let garbage = "local function waste() local a, b = ('x'):rep(3000001), ('x'):rep(3000002) end ";
    let rows = [
        ("sort", "local t = {} for i = 1, 100000 do t[i] = -i end waste() table.sort(t)"),
        (
            "sort by function",
            "local t = {} for i = 1, 5000 do t[i] = -i end for i = 1, 90000 do t[i] = i end waste() table.sort(t, function(a, b) return a < b end)",
        ),
        ("rep", "waste() local s = ('x'):rep(4000000)"),
        ("concatenation", "local s = ('x'):rep(2000000) waste() local r = s .. s"),
        (
            "concatenation with a metamethod",
            "local s = ('x'):rep(2000000) local m = setmetatable({}, { __concat = function(a, b) return 'm' end }) waste() local r = m .. s .. s",
        ),
        ("upper", "local s = ('x'):rep(3000000) waste() local r = s:upper()"),
        ("sub", "local s = ('x'):rep(3000000) waste() local r = s:sub(2)"),
        ("gsub by text", "local s = ('x'):rep(2000000) waste() local r = s:gsub('x+', '%0y')"),
        (
            "gsub by function",
            "local s = ('x'):rep(3000000) waste() local r = s:gsub('x+', function(m) return m end)",
        ),
        (
            "gsub by table",
            "local s = ('x'):rep(2000000) waste() local r = s:gsub('x+', setmetatable({}, { __index = function(_, k) return k end }))",
        ),
        ("match", "local s = ('x'):rep(3000000) waste() local r = s:match('(x+)')"),
        ("gmatch", "local s = ('x'):rep(3000000) waste() for w in s:gmatch('x+') do end"),
        ("find with captures", "local s = ('x'):rep(3000000) waste() local a, b, r = s:find('(x*)')"),
        ("format", "local s = ('x'):rep(3000000) waste() local r = ('<%s>'):format(s)"),
        (
            "table.concat",
            "local t = {} for i = 1, 20 do t[i] = ('x'):rep(100000) end waste() local r = table.concat(t, ',')",
        ),
        (
            "unpack",
            "local t = {} for i = 1, 8000 do t[i] = i end for i = 1, 50 do waste() local n = select('#', unpack(t)) end",
        ),
        (
            "byte",
            "local s = ('x'):rep(8000) for i = 1, 50 do waste() local n = select('#', s:byte(1, -1)) end",
        ),
        ("print", "local s = ('x'):rep(3000000) for i = 1, 20 do waste() print(s, i) end"),
        ("error", "local s = ('x'):rep(1000000) waste() pcall(error, s)"),
        ("assert", "local s = ('x'):rep(1000000) waste() pcall(assert, false, s)"),
        ("tostring", "local t = {} for i = 1, 1000 do waste() t[i] = tostring(i / 3) end"),
        (
            "pcall with values",
            "local t = {} for i = 1, 7000 do t[i] = i end for i = 1, 20 do waste() pcall(select, '#', unpack(t)) end",
        ),
        (
            "xpcall with values",
            "local t = {} for i = 1, 7000 do t[i] = i end for i = 1, 20 do waste() xpcall(function() return unpack(t) end, print) end",
        ),
        ("reverse", "local s = ('x'):rep(3000000) waste() local r = s:reverse()"),
        (
            "char",
            "local t = {} for i = 1, 7000 do t[i] = 65 end for i = 1, 20 do waste() local s = string.char(unpack(t)) end",
        ),
        ("os.date", "local f = ('%Y'):rep(500000) waste() pcall(os.date, f)"),
        ("garbage alone", "for i = 1, 100 do waste() end"),
        (
            "garbage among numbers",
            "for i = 1, 60 do waste() local t = {} for j = 1, i do t[j] = j .. '' end end",
        ),
        ("tables", "for i = 1, 20 do waste() local t = {} for j = 1, 20000 do t[j] = j end end"),
    ];
    let rows = rows.map(|(name, body)| chunk(name, "reply", format!("{garbage}{body}")));
    check_all_asked(rows.into_iter().collect());
}
