-- expect-error: syntax-return-not-last.lua:4: '<eof>' expected near 'print'
do return end
return 1
print("x")
