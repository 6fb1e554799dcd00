-- expect: 512	-4	0.5
-- expect: false	true
-- expect: 123	37
-- expect: 2	2	0.5
-- expect: true	true
-- expect: 2	-3	-1	-2
-- expect: true	true
-- expect: 4	-3	false
-- expect: -6	5	3
print(2 ^ 3 ^ 2, -2 ^ 2, 2 ^ -1)
print(not 1 == 2, not (1 == 2))
print(1 .. 2 .. 3, 1 + 2 .. 3 + 4)
print(2 * 3 % 4, 7 - 3 - 2, 2 / 2 / 2)
print(1 < 2 and 2 < 3, 1 == 1 ~= false)
print(-3 % 5, -(3 % 5), 5 % -3, -5 % -3)
print("a" .. "b" == "ab", 1 .. "" == "1")
print(#"abc" + 1, -#"abc", not #"abc")
print(2 * -3, 2 - -3, - - 3)
