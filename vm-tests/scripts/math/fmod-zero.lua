-- expect: true
-- expect: true
local r = math.fmod(5, 0)
print(r ~= r)
r = math.fmod(5, 0.0)
print(r ~= r)
