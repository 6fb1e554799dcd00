-- expect: 2
-- expect: 3
-- expect: 1
-- expect: 11
-- expect: 10	5
-- expect: 11	99
-- expect: 99
-- expect: 1	2	nil
local x = 1
do
  local x = 2
  print(x)
  x = 3
  print(x)
end
print(x)
local x = x + 10
print(x)
y = 5
local y = y * 2
print(y, _G.y)
local function f() return x end
local x = 99
print(f(), x)
if true then local x = "inner" end
print(x)
local a, b, c = 1, 2
print(a, b, c)
