--- Say hello
function handle(args)
    if args == "" then return nil end
    return "hello " .. args:upper()
end
