-- expect: 1	1	1.5x	-1	1e+100	9.2233720368548e+18
-- expect: a3	1-1	5
-- expect: n=3 n/2=1.5
-- expect: 1:0.5 2:1 3:1.5 4:2 5:2.5
print(1 .. "", 1.0 .. "", 1.5 .. "x", -1 .. "", 1e100 .. "", 2 ^ 63 .. "")
print("a" .. 1 + 2, 1 .. -1, 10 / 2 .. "")
local n = 3
print("n=" .. n .. " n/2=" .. n / 2)
local t = {}
for i = 1, 5 do t[i] = i .. ":" .. i * 0.5 end
print(table.concat(t, " "))
