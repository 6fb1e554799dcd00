-- expect: 1	2	3	nil
-- expect: 1	x
-- expect: 1	nil	nil
-- expect: 1	1	2	3
-- expect: 3	4	1
-- expect:
-- expect: nil
-- expect: nil	1
-- expect: nil	0
-- expect: 4	1
local function three() return 1, 2, 3 end
local function none() end
local a, b, c, d = three()
print(a, b, c, d)
local a, b = three(), "x"
print(a, b)
local a, b, c = (three())
print(a, b, c)
print(three(), three())
print(({three(), three()})[4], #{three(), three()}, #{(three())})
print(none())
print((none()))
print(none(), 1)
print(type(nil), #{none(), none()})
local t = {three(), n = 1, three()}
print(#t, t.n)
