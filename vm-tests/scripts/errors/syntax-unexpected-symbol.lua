-- expect-error: syntax-unexpected-symbol.lua:2: unexpected symbol near '='
local x = = 1
