-- expect: 5
local n = 0
for i = 1, 0, 0 do n = n + 1 if n > 4 then break end end
print(n)
