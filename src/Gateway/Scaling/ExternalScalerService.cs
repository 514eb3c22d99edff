using Grpc.Core;
using Herd.Contracts.Nodes;
using Herd.Gateway.Scaling.Protocol;
using Herd.Grains.Scaling;

namespace Herd.Gateway.Scaling;

/// <summary>
/// KEDA's external scaler. It has one metric: the number of nodes that a pool should have, one for each replica. The
/// scaled object's metadata names the pool's model as "model".
/// </summary>
internal sealed class ExternalScalerService(PoolAdvisor advisor, TimeProvider time) : ExternalScaler.ExternalScalerBase
{
    private const string Metric = "herd-nodes-wanted";
    private const string ModelKey = "model";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public override async Task<IsActiveResponse> IsActive(ScaledObjectRef request, ServerCallContext context) =>
        new() { Result = (await Find(request)).Wanted > 0 };

    public override async Task StreamIsActive(
        ScaledObjectRef request, IServerStreamWriter<IsActiveResponse> responseStream, ServerCallContext context)
    {
        bool? sent = null;
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            var isActive = (await Find(request)).Wanted > 0;
            if (isActive != sent)
            {
                sent = isActive;
                await responseStream.WriteAsync(new IsActiveResponse { Result = isActive }, context.CancellationToken);
            }
        }
        while (await timer.WaitForNextTickAsync(context.CancellationToken));
    }

    public override async Task<GetMetricSpecResponse> GetMetricSpec(ScaledObjectRef request, ServerCallContext context)
    {
        await Find(request);
        return new GetMetricSpecResponse
        {
            MetricSpecs = { new MetricSpec { MetricName = Metric, TargetSize = 1, TargetSizeFloat = 1 } },
        };
    }

    public override async Task<GetMetricsResponse> GetMetrics(GetMetricsRequest request, ServerCallContext context)
    {
        var wanted = (await Find(request.ScaledObjectRef)).Wanted;
        return new GetMetricsResponse
        {
            MetricValues =
            {
                new MetricValue { MetricName = Metric, MetricValue_ = wanted, MetricValueFloat = wanted },
            },
        };
    }

    private async Task<PoolAdvice> Find(ScaledObjectRef request)
    {
        if (!request.ScalerMetadata.TryGetValue(ModelKey, out var model))
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument,
                $"The trigger's metadata has no '{ModelKey}'. Set it to the model that the pool serves."));
        }

        var advice = await advisor.Ask();
        return advice.FirstOrDefault(pool => pool.Model == model) ?? throw new RpcException(advice.Count == 0
            ? new Status(StatusCode.Unavailable, "No pools are known yet, or none are configured (Scaling:Pools).")
            : new Status(
                StatusCode.NotFound,
                $"No pool serves '{model}'. The pools serve {string.Join(", ", advice.Select(pool => pool.Model))} "
                + "(Scaling:Pools)."));
    }
}
