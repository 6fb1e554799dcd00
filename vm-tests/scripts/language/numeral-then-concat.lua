-- Two dots behind a numeral with a letter in it join texts.
-- expect: 101
-- expect: 2555x
-- expect: 1000002
-- expect: 0xA..1
-- expect: 16	10
print(0xA..1)
print(0xff..5 .."x")
print(1e5..2)
print("0xA..1" --[[0xA..1]])
-- 0xA..1
print((0X10 ..""), select("#", 0xA, 1) + 8)
