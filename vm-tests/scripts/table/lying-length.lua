-- expect: 4	3
-- expect: c	3
-- reference: no the reference has no __len for tables either, but this is about a hang
local t = setmetatable({ "a", "b", "c" }, { __len = function() return 2 ^ 53 end })
table.insert(t, 1, "z")
print(#{ unpack(t) }, (function() table.remove(t, 1) return rawlen(t) end)())
print(t[3], rawlen(t))
