local x = 1 + 2 - 3 * 4 / 5 % 6 ^ 7 // 2
local y = 1 & 2 | 3 ~ 4 << 1 >> 2
local z = not (x == y) and x ~= y or x < y and x <= y or x > y and x >= y
local s = "a" .. 'b' .. [[c]] .. 1 .. 0x1F .. 1e3
return -x, #s, ~y, z
