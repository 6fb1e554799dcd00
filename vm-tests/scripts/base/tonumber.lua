-- expect: 10	10	nil	nil	nil	10
-- expect: 31	nil	nil	-5	nil	5
-- expect: 255	255	1295	nil	5
-- expect: nil	3	nil	nil	nil
-- expect: 0.5	5	nil	nil	nil	nil
-- expect: 7	7	7.5	nil
-- expect: false	bad argument #2 to 'tonumber' (base out of range)
-- expect: false	bad argument #2 to 'tonumber' (base out of range)
-- expect: false	bad argument #1 to 'tonumber' (value expected)
-- expect: 10	7	481	3
print(tonumber("10"), tonumber(" 10 "), tonumber("10a"), tonumber(""), tonumber(" "), tonumber("1e1"))
print(tonumber("0x1F"), tonumber("0x"), tonumber("1 2"), tonumber("-5"), tonumber("- 5"), tonumber("+5"))
print(tonumber("ff", 16), tonumber("FF", 16), tonumber("zz", 36), tonumber("12", 2), tonumber("101", 2))
print(tonumber("8", 8), tonumber("  11  ", 2), tonumber(nil), tonumber({}), tonumber(true))
print(tonumber(".5"), tonumber("5."), tonumber("."), tonumber("e1"), tonumber("1e"), tonumber("1e+"))
print(tonumber("\t7\n"), tonumber(7), tonumber(7.5), tonumber("1_000"))
print(pcall(tonumber, "1", 1))
print(pcall(tonumber, "1", 37))
print(pcall(tonumber))
print(tonumber("10", 10), tonumber("7", 10), tonumber("1e1", 16), tonumber(11, 2))
