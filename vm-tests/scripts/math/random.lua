-- expect: true
-- expect: true	1	5
-- expect: false	bad argument #1 to 'random' (interval is empty)
-- expect: false	bad argument #2 to 'random' (interval is empty)
-- expect: false	wrong number of arguments
-- expect: true	true
math.randomseed(42)
local a = math.random()
print(a >= 0 and a < 1)
local ok = true
for i = 1, 200 do
  local r = math.random(6)
  if r < 1 or r > 6 or r ~= math.floor(r) then ok = false end
  r = math.random(-3, 3)
  if r < -3 or r > 3 then ok = false end
end
print(ok, math.random(1), math.random(5, 5))
print(pcall(math.random, 0))
print(pcall(math.random, 2, 1))
print(pcall(math.random, 1, 2, 3))
math.randomseed(7)
local x, y = math.random(1000), math.random(1000)
math.randomseed(7)
print(x == math.random(1000), y == math.random(1000))
