-- expect: 5	10	10	9	-2	3	16	10
-- expect: true	true
-- expect: false	true	55	3
-- expect: 1	xx
print("5" + 0, "5" * "2", 10 .. "", "3" ^ 2, -"2", "7" % 4, "0x10" * 1, " 1e1 " + 0)
print(pcall(function() return "a" + 1 end) == false, pcall(function() return {} .. "x" end) == false)
print("10" == 10, "10" < "9", ("5"):rep("2"), math.max("3", 2))
print(#(5 .. ""), ("x"):rep("2"))
