-- expect-error: syntax-name-missing.lua:2: '<name>' expected near '='
local = 1
