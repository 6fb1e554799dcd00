-- expect-error: native-position.lua:4: bad argument #1 to 'rep' (string expected, got no value)
local s = "x"
s = s:rep(2)
s = string.rep()
