using Grpc.Core;
using Grpc.Net.Client;
using Herd.Gateway.Scaling.Protocol;

namespace Herd.Kubernetes.Tests.Pods;

/// <summary>
/// Scales the nodes as KEDA and the horizontal pod autoscaler do: by the metric of the scaler, with the autoscaler's
/// tolerance. Whether the pool is active decides about zero.
/// </summary>
internal sealed class Autoscaler : IAsyncDisposable
{
    private const int ScalerPort = 8083;
    private const double Tolerance = 0.1;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private readonly PodCluster _cluster;
    private readonly int _most;
    private readonly ScaledObjectRef _object;
    private readonly Dictionary<string, GrpcChannel> _channels = [];
    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;

    public Autoscaler(PodCluster cluster, string model, int most)
    {
        (_cluster, _most) = (cluster, most);
        _object =
            new ScaledObjectRef { Name = PodCluster.Node, Namespace = "herd", ScalerMetadata = { ["model"] = model } };
        _running = Run();
    }

    /// <summary>The requested numbers of replicas, in order.</summary>
    public List<int> Steps { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
        foreach (var channel in _channels.Values)
        {
            channel.Dispose();
        }

        _end.Dispose();
    }

    private async Task Run()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                var nodes = _cluster[PodCluster.Node];
                if (await Ask(nodes.Replicas) is var replicas && replicas != nodes.Replicas)
                {
                    Steps.Add(replicas);
                    nodes.Replicas = replicas;
                }
            }
            catch (RpcException)
            {
                // The scaler did not answer. The size stays.
            }

            await Task.Delay(Poll, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<int> Ask(int replicas)
    {
        if (_cluster[PodCluster.Gateway].Ready is not [var gateway, ..])
        {
            return replicas;
        }

        if (!_channels.TryGetValue(gateway.Address, out var channel))
        {
            _channels[gateway.Address] = channel = GrpcChannel.ForAddress($"http://{gateway.Address}:{ScalerPort}");
        }

        var scaler = new ExternalScaler.ExternalScalerClient(channel);
        if (!(await scaler.IsActiveAsync(_object, cancellationToken: _end.Token)).Result)
        {
            return 0;
        }

        var spec = (await scaler.GetMetricSpecAsync(_object, cancellationToken: _end.Token)).MetricSpecs.Single();
        var request = new GetMetricsRequest { ScaledObjectRef = _object, MetricName = spec.MetricName };
        var value = (await scaler.GetMetricsAsync(
            request, cancellationToken: _end.Token)).MetricValues.Single().MetricValueFloat;
        return replicas == 0 ? 1
            : Math.Abs(1 - (value / (spec.TargetSizeFloat * replicas))) <= Tolerance ? replicas
            : Math.Min(_most, (int)Math.Ceiling(value / spec.TargetSizeFloat));
    }
}
