-- expect: 1,2,3,4
-- expect: 1	2	3
-- expect: 0
-- expect: 1	a
-- expect: 2	b
-- expect: 1
-- expect: 1 x y
-- expect: 1	5
local function range(n)
  return function(max, i) if i < max then return i + 1 end end, n, 0
end
local t = {}
for i in range(4) do t[#t + 1] = i end
print(table.concat(t, ","))
for k, v, extra in function(s, c) if not c then return 1, 2, 3 end end do print(k, v, extra) end
local n = 0
for k in pairs({}) do n = n + 1 end
print(n)
for i, v in ipairs({"a", "b", nil, "d"}) do print(i, v) end
for _, v in ipairs({1, 2, 3}) do if v == 2 then break end print(v) end
local keys = {}
for k in pairs({x = 1, y = 2, 10}) do keys[#keys + 1] = tostring(k) end
table.sort(keys)
print(table.concat(keys, " "))
for k, v in next, {5} do print(k, v) end
