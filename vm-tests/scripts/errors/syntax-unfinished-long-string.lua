-- expect-error: syntax-unfinished-long-string.lua:4: unfinished long string near '<eof>'
local s = [[abc
print(s)
