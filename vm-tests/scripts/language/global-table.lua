-- expect: 5	true
-- expect: 1
-- expect: print is gone	nil
x = 5
print(_G.x, _G._G == _G)
_G["y z"] = 1
print(_G["y z"])
print = print
local p = print
print = nil
p("print is gone", print)
