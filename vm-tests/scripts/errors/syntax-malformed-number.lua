-- expect-error: syntax-malformed-number.lua:2: malformed number near '3x'
local x = 3x
