-- expect: inf	-inf	true	true
-- expect: false	true	false	false
-- expect: inf	-inf
local inf = 1 / 0
print(inf, -inf, inf == inf, inf - inf ~= inf - inf)
local nan = 0 / 0
print(nan == nan, nan ~= nan, nan < nan, nan > nan)
print(math.huge, -math.huge)
