-- expect: 3	-4	3
-- expect: 1	7	6	-1
-- expect: 16	4
-- reference: no integer operators are extra
print(7 // 2, -7 // 2, 7.5 // 2)
print(5 & 3, 5 | 3, 5 ~ 3, ~0)
print(1 << 4, 16 >> 2)
