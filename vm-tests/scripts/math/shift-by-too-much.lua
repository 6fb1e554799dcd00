-- expect: 0	0	0
-- reference: no shifts are extra
local n = 64
print(1 << n, 1 >> n, 1 << 200)
