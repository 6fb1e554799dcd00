-- expect: inf	nan	inf	inf
print(tonumber("inf"), tonumber("nan"), tonumber("infinity"), tonumber("INF"))
