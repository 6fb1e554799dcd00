-- expect: 2
-- expect: 1
-- expect: 0
-- expect: 2
local n = 0
for i = 9007199254740990, 9007199254740991 do n = n + 1 end
print(n)
n = 0
for i = 1, 3, 1e308 do n = n + 1 end
print(n)
n = 0
for i = 1, -1e308 do n = n + 1 end
print(n)
for i = 3, 1e308, 1e308 do n = n + 1 if n > 5 then break end end
print(n)
