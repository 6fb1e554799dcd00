-- expect-error: syntax-bad-escape.lua:2: escape sequence too large near '"'
local s = "\300"
