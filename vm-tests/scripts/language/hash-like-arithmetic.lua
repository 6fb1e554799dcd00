-- expect: 1972111456
local h = 5381
for i = 1, 50 do h = (h * 33 + i) % 4294967296 end
print(h)
