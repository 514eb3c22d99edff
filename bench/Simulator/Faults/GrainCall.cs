using System.Reflection;
using Herd.Contracts.Nodes;

namespace Herd.Simulator.Faults;

/// <summary>Calls a grain on its process, as Orleans does. A proxy class derives from it at run time.</summary>
public class GrainCall : DispatchProxy
{
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(10);
    private static readonly MethodInfo Answered = Method(nameof(Call));
    private static readonly MethodInfo Streamed = Method(nameof(Stream));

    private FaultWorld _world = null!;
    private SimulatedProcess? _caller;
    private Type _grain = null!;
    private string _key = null!;

    internal void Begin(FaultWorld world, SimulatedProcess? caller, Type grain, string key) =>
        (_world, _caller, _grain, _key) = (world, caller, grain, key);

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var result = targetMethod!.ReturnType;
        var how = !result.IsGenericType || result.GetGenericTypeDefinition() == typeof(Task<>) ? Answered : Streamed;
        var item = result.IsGenericType ? result.GenericTypeArguments[0] : typeof(bool);
        return how.MakeGenericMethod(item).Invoke(this, [targetMethod, args]);
    }

    private static MethodInfo Method(string name) =>
        typeof(GrainCall).GetMethod(name, BindingFlags.Instance | BindingFlags.NonPublic)!;

    private Task<T> Call<T>(MethodInfo method, object?[] args) => _world.Pump.Do(async () =>
    {
        var activation = await Find();
        using var call = await Race(activation, activation.Enter(interleaves: false));
        var request = new IncomingCall<T>(activation, method, args);
        await Race(
            activation,
            activation.Grain is IIncomingGrainCallFilter filter ? filter.Invoke(request) : request.Invoke());
        _world.Watch.Answered(activation, method.Name, args, request.Result);
        await Race(activation, activation.Process.Reach());
        return (T)request.Result!;
    });

    private async IAsyncEnumerable<T> Stream<T>(MethodInfo method, object?[] args)
    {
        var activation = await Find();
        using var call = await activation.Enter(interleaves: true);
        if (args[0] is SessionRequest generate)
        {
            _world.OnGenerate?.Invoke((NodeProcess)activation.Process, generate);
        }

        var stream =
            ((IAsyncEnumerable<T>)method.Invoke(activation.Grain, BindingFlags.DoNotWrapExceptions, null, args, null)!)
                .GetAsyncEnumerator();
        var next = Task.FromResult(false);
        try
        {
            while (true)
            {
                await Race(activation, activation.Process.Reach());
                if (_caller?.Alive() is { IsCompleted: false })
                {
                    yield break;
                }

                next = Next(activation, stream, args[0]);
                await Or(activation, next);
                if (!await next)
                {
                    break;
                }

                await Race(activation, activation.Process.Reach());
                yield return stream.Current;
            }
        }
        finally
        {
            // A process that is gone does not see the cancellation.
            if (next.IsCompleted)
            {
                await stream.DisposeAsync();
            }
        }
    }

    /// <summary>Moves to the next item, and reports it to the watch at once.</summary>
    private async Task<bool> Next<T>(Activation activation, IAsyncEnumerator<T> stream, object? request)
    {
        var newest = _world.Watch.Newest(activation);
        var isThere = await stream.MoveNextAsync().ConfigureAwait(false);
        if (isThere && stream.Current is GenerationEvent update)
        {
            _world.Watch.Produced(activation, (SessionRequest)request!, update, newest);
        }

        return isThere;
    }

    private async Task<Activation> Find()
    {
        if (_caller is { } caller)
        {
            await caller.Alive();
        }

        var process = _world.Locate(_grain, _key, _caller);
        await Or(process, process.Reach());
        return await process.Activate(_grain, _key, () => _world.Forget(_grain, _key, process));
    }

    private Task Race(Activation activation, Task work) =>
        Or(activation.Process, work).WaitAsync(ResponseTimeout, _world.Time);

    private async Task<T> Race<T>(Activation activation, Task<T> work)
    {
        await Race(activation, (Task)work);
        return await work;
    }

    private static Task Or(Activation activation, Task work) => Or(activation.Process, work);

    /// <summary>Waits for work of a process, or for the end of the process.</summary>
    private static async Task Or(SimulatedProcess process, Task work)
    {
        if (await Task.WhenAny(work, process.Gone) != work)
        {
            throw new SiloUnavailableException($"{process.Name} is gone.");
        }

        await work;
    }
}
