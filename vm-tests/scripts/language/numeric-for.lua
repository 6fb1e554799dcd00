-- expect: 3
-- expect: 1 2 3		3 2 1	1 5 9
-- expect: 	1	0 0.25 0.5 0.75 1
-- expect: 1.5 2.5 3.5	-1 -2 -3	10 7 4 1
-- expect: 1 2
-- expect: 6
-- expect: 3
-- expect: 6
-- expect: -inf
for i = 1, 3 do last = i end
print(last)
local function list(a, b, c)
  local t = {}
  if c then for i = a, b, c do t[#t + 1] = i end else for i = a, b do t[#t + 1] = i end end
  return table.concat(t, " ")
end
print(list(1, 3), list(3, 1), list(3, 1, -1), list(1, 10, 4))
print(list(1, 0), list(1, 1), list(0, 1, 0.25))
print(list(1.5, 4), list(-1, -3, -1), list(10, 1, -3))
print(list("1", 2))
local n = 0
for i = 1, 3 do local j = i i = 10 n = n + j end
print(n)
local limit = 3
local t = {}
for i = 1, limit do limit = 1 t[#t + 1] = i end
print(#t)
for i = 1, math.huge do if i > 5 then print(i) break end end
for i = -math.huge, 0 do print(i) break end
