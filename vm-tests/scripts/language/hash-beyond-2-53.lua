-- expect: 1535244752
-- reference: no integers of 64 bits are exact where the reference rounds
local seed = 42
for i = 1, 10 do seed = (seed * 1103515245 + 12345) % 2147483648 end
print(seed)
