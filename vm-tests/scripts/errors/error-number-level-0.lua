-- expect: number
print(type(select(2, pcall(error, 5, 0))))
