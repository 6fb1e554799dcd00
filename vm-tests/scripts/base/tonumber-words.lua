-- expect: nil	nil	nil	nil
-- reference: no the reference asks the C library, which reads these words
print(tonumber("inf"), tonumber("nan"), tonumber("infinity"), tonumber("INF"))
