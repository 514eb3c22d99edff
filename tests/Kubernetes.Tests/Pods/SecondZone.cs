using System.Diagnostics;
using System.Globalization;
using Herd.Testing;

namespace Herd.Kubernetes.Tests.Pods;

/// <summary>
/// A second zone: a Linux network namespace, joined by a pair of virtual interfaces that can be cut. Pods have
/// addresses in 10.207.1.0/24 here and 10.207.2.0/24 there. Needs root, or 'unshare --map-root-user --net' around the
/// tests.
/// </summary>
internal sealed class SecondZone : IAsyncDisposable
{
    private const string Here = "herd-here";
    private const string There = "herd-there";
    private const int Addresses = 40;

    private readonly Process _holder;

    private SecondZone(Process holder) => _holder = holder;

    /// <summary>The command prefix that runs a program in the second zone.</summary>
    public IReadOnlyList<string> Enter => ["nsenter", $"--net=/proc/{Text(_holder.Id)}/ns/net"];

    public static async Task<SecondZone> Make()
    {
        await RemoveCable();
        var holder = Process.Start(new ProcessStartInfo(
            "unshare", ["--net", "cat"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

        // The shell echoes a line once the namespace exists.
        await holder.StandardInput.WriteLineAsync("ready");
        await holder.StandardOutput.ReadLineAsync();
        var zone = new SecondZone(holder);
        await Ip("link", "add", Here, "type", "veth", "peer", "name", There, "netns", Text(holder.Id));
        await Ip("address", "add", "10.207.0.1/30", "dev", Here);
        await Ip("link", "set", Here, "up");
        await zone.IpThere("link", "set", "lo", "up");
        await zone.IpThere("address", "add", "10.207.0.2/30", "dev", There);
        await zone.Join();
        for (var number = 1; number <= Addresses; number++)
        {
            await Ip("address", "replace", $"{Address(isThere: false, number)}/32", "dev", "lo");
            await zone.IpThere("address", "add", $"{Address(isThere: true, number)}/32", "dev", "lo");
        }

        await Ip("route", "replace", "10.207.2.0/24", "via", "10.207.0.2");
        return zone;
    }

    /// <summary>The address of a pod.</summary>
    /// <param name="isThere">True for the second zone.</param>
    /// <param name="number">The number of the pod, 1 to <see cref="Addresses"/>.</param>
    public static string Address(bool isThere, int number) => $"10.207.{(isThere ? 2 : 1)}.{Text(number)}";

    /// <summary>Cuts the network. Packets are dropped silently.</summary>
    public Task Cut() => IpThere("link", "set", There, "down");

    /// <summary>Mends the network.</summary>
    public async Task Join()
    {
        await IpThere("link", "set", There, "up");
        await IpThere("route", "replace", "10.207.1.0/24", "via", "10.207.0.1");
    }

    public async ValueTask DisposeAsync()
    {
        await RemoveCable();
        for (var number = 1; number <= Addresses; number++)
        {
            await Ip("address", "delete", $"{Address(isThere: false, number)}/32", "dev", "lo");
        }

        _holder.StandardInput.Close();
        await _holder.WaitForExitAsync();
        _holder.Dispose();
    }

    /// <summary>Removes the namespace that an aborted run left.</summary>
    private static async Task RemoveCable()
    {
        if (Directory.Exists($"/sys/class/net/{Here}"))
        {
            await Ip("link", "delete", Here);
        }
    }

    private static Task<string> Ip(params string[] arguments) => Tool.Run("/", "ip", arguments);

    private Task<string> IpThere(params string[] arguments) =>
        Tool.Run("/", Enter[0], [.. Enter.Skip(1), "ip", .. arguments]);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
