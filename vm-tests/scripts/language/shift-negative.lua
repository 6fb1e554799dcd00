-- expect: 8	2
-- reference: no shifts are extra; in the versions that have them a negative amount shifts the other way
local n = -1
print(16 << n, 1 >> n)
