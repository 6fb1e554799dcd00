-- expect: 486008448
local seed = 42
for i = 1, 10 do seed = (seed * 1103515245 + 12345) % 2147483648 end
print(seed)
