-- expect: X
-- expect: Y
-- expect: 2
-- expect: true
-- A library's functions are registered when the program names them, and all of them when the names are computed.
local name = "up" .. "per"
print(string[name]("x"))
print(("y")[name]("y"))
local lib = math
print(lib["fl" .. "oor"](2.5))
local count = 0
for _ in pairs(table) do count = count + 1 end
print(count > 3)
