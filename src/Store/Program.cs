using System.Globalization;
using System.Runtime.InteropServices;
using Herd.Inference.Files;
using Herd.Store;

// The embedded store: Garnet in a process of its own, because it and Orleans need different versions of some packages.
PrivateFile.MakeNewFilesPrivate();
if (!StoreOptions.TryParse(args, out var options, out var error))
{
    await Console.Error.WriteLineAsync(error);
    return 2;
}

try
{
    PrivateFile.CreateFolder(options.Data);
    using var log = new StoreLog(Console.Out.WriteLine);
    using var server = new EmbeddedGarnet(options.ToGarnet(), log);
    server.Start();
    await Console.Out.WriteLineAsync(string.Create(
        CultureInfo.InvariantCulture,
        $"The store listens on {options.Bind}:{options.Port}; its data is in {options.Data}"));

    var disk = new DiskWatch(
        options.Data, () => log.IsBroken, () => DiskWatch.StartAnew(args), Console.Out.WriteLine);
    _ = disk.Run(TimeProvider.System, CancellationToken.None);
    var eraser = new LogEraser(options.LogFolder, StoreOptions.LogSegmentBits, () => server.LogBegin);
    _ = eraser.Run(TimeProvider.System, CancellationToken.None);
    using var stop = new ManualResetEventSlim();
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    stop.Wait();
    return 0;

    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        stop.Set();
    }
}
catch (Exception e)
{
    await Console.Error.WriteLineAsync(
        $"The store cannot start on {options.Bind}:{options.Port} with its data in {options.Data}: {e.Message}");
    return 1;
}
