-- expect-error: syntax-break-outside.lua:4: no loop to break near '<eof>'
local x = 1
break
