-- expect-error: syntax-missing-comma.lua:2: unexpected symbol near '3'
local score 3
