using System.Net;
using Herd.Gateway.Hosting;
using Herd.Gateway.Tenants;
using Herd.Grains.Hosting;
using Herd.Grains.Accounting.Limits;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Herd.Gateway.Tests.Hosting;

/// <summary>
/// Every endpoint that a gateway maps, and who may call it at which port. A new endpoint needs a tenant's key.
/// </summary>
public sealed class EndpointTests : IAsyncDisposable
{
    private const int PublicPort = 8080;
    private const int AdminPort = 8082;
    private const int ScalerPort = 8083;

    private static readonly string[] Open =
    [
        "/health/live",
        "/health/ready",
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.health.v1.Health/{unimplementedMethod:grpcunimplemented}",
    ];

    private readonly WebApplication _app = Gateway("--Gateway:AdminPort=8082", "--Gateway:ScalerPort=8083");

    private enum Access
    {
        Open,
        Tenant,
        AnyKey,

        /// <summary>Any key, at the public ports.</summary>
        Usage,
        Operator,
        Reader,
        Metrics,
        Scaler,
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public void Policy_EveryEndpoint_IsAsListed()
    {
        var endpoints = Endpoints(_app);

        Assert.True(endpoints.Count > 40, string.Join('\n', endpoints.Select(PathOf)));
        Assert.All(endpoints, endpoint => Assert.Equal(
            AccessOf(endpoint) switch
            {
                Access.Open or Access.Scaler => "open",
                Access.AnyKey or Access.Usage => AccessPolicies.AnyKey,
                Access.Operator => AccessPolicies.Operator,
                Access.Reader or Access.Metrics => AccessPolicies.Reader,
                _ => "fallback",
            },
            PolicyOf(endpoint)));
        Assert.Equal(Open.Order(StringComparer.Ordinal), Named(endpoints, Access.Open));
        Assert.Equal(7, Named(endpoints, Access.Operator).Count());
        Assert.Equal(
            ["/herd.v1.ClusterService/Diagnose", "/herd.v1.ClusterService/ListNodes"],
            Named(endpoints, Access.Reader));
        Assert.All(endpoints, endpoint => Assert.Equal(
            AccessOf(endpoint) is Access.Operator or Access.Reader or Access.Metrics,
            endpoint.Metadata.GetMetadata<Audited>() is not null));
    }

    /// <summary>
    /// Every endpoint, with every kind of key, at every port, goes through the gateway's own pipeline.
    /// </summary>
    [Fact]
    public async Task Call_EveryEndpointKeyAndPort_IsAllowedOrRefused()
    {
        foreach (var endpoint in Endpoints(_app))
        {
            foreach (var (port, key) in
                from port in new[] { PublicPort, AdminPort, ScalerPort }
                from key in new[] { null, "wrong", "alice", "rita", "olga", "reader", "admin" }
                select (port, key))
            {
                var status = await Call(_app, endpoint, port, key);
                Assert.True(
                    Expected(AccessOf(endpoint), port, key) == status,
                    $"{PathOf(endpoint)} at {port} with {key}: {status}");
            }
        }
    }

    [Fact]
    public async Task Call_NoEndpoint_NeedsAKey()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await Call(_app, null, PublicPort, null));
        Assert.Equal(HttpStatusCode.OK, await Call(_app, null, PublicPort, "alice"));
        Assert.Equal(HttpStatusCode.Forbidden, await Call(_app, null, AdminPort, "admin"));
        Assert.Equal(HttpStatusCode.Forbidden, await Call(_app, null, ScalerPort, null));
    }

    [Fact]
    public async Task Call_NoOperatorsPort_IsAtThePublicPortForOperators()
    {
        await using var app = Gateway("--Gateway:AdminPort=0");
        var drain = Endpoints(app).First(endpoint => AccessOf(endpoint) == Access.Operator);
        var list = Endpoints(app).First(endpoint => AccessOf(endpoint) == Access.Reader);

        foreach (var endpoint in new[] { drain, list })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await Call(app, endpoint, PublicPort, null));
            Assert.Equal(HttpStatusCode.Forbidden, await Call(app, endpoint, PublicPort, "alice"));
            Assert.Equal(HttpStatusCode.OK, await Call(app, endpoint, PublicPort, "olga"));
        }

        Assert.Equal(HttpStatusCode.Forbidden, await Call(app, drain, PublicPort, "rita"));
        Assert.Equal(HttpStatusCode.OK, await Call(app, list, PublicPort, "rita"));
    }

    /// <summary>A gateway without any key serves everybody's conversations, and nobody's calls for operators.</summary>
    [Theory]
    [InlineData(AdminPort, AdminPort)]
    [InlineData(0, PublicPort)]
    public async Task Call_NoKeysAtAll_IsRefusedForOperatorsCalls(int adminPort, int port)
    {
        await using var app = Build([$"--Gateway:AdminPort={adminPort}"]);
        foreach (var endpoint in Endpoints(app).Where(
            endpoint => AccessOf(endpoint) is Access.Operator or Access.Reader))
        {
            Assert.Contains(
                await Call(app, endpoint, port, null), new[] { HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden });
        }

        var metrics = Endpoints(app).First(endpoint => AccessOf(endpoint) == Access.Metrics);
        var models = Endpoints(app).First(endpoint => PathOf(endpoint) == "/v1/models");
        Assert.Equal(HttpStatusCode.Forbidden, await Call(app, metrics, PublicPort, null));
        Assert.Equal(HttpStatusCode.OK, await Call(app, models, PublicPort, null));
    }

    /// <summary>The key that 'herd up' makes is an operator's, beside those of the configuration.</summary>
    [Fact]
    public async Task Call_KeyOfTheFile_IsAnOperators()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "a-key-of-the-file\n", TestContext.Current.CancellationToken);
        try
        {
            await using var app = Gateway("--Gateway:AdminPort=8082", $"--Gateway:AdminKeyFile={file}");
            var drain = Endpoints(app).First(endpoint => AccessOf(endpoint) == Access.Operator);

            Assert.Equal(HttpStatusCode.OK, await Call(app, drain, AdminPort, "a-key-of-the-file"));
            Assert.Equal(HttpStatusCode.OK, await Call(app, drain, AdminPort, "admin"));
            Assert.Equal(HttpStatusCode.Unauthorized, await Call(app, drain, AdminPort, "a-key-of-the-file\n."));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("/v1/models", "application/json", "\"code\":\"invalid_api_key\"")]
    [InlineData("/v1/messages", "application/json", "\"type\":\"authentication_error\"")]
    [InlineData("/api/tags", "application/json", "{\"error\":\"The API key is missing")]
    public async Task Call_WithoutKey_IsRefusedInTheFormOfItsInterface(string path, string type, string expected)
    {
        var context = await Send(_app, Endpoints(_app).First(endpoint => PathOf(endpoint) == path), PublicPort, null);
        context.Response.Body.Position = 0;
        using var body = new StreamReader(context.Response.Body);

        Assert.Contains(
            expected, await body.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.StartsWith(type, context.Response.ContentType, StringComparison.Ordinal);
        Assert.Equal("Bearer", context.Response.Headers.WWWAuthenticate);
    }

    [Theory]
    [InlineData(PublicPort, null, "16")]
    [InlineData(AdminPort, "alice", "7")]
    public async Task Call_OverGrpcRefused_HasItsStatus(int port, string? key, string status)
    {
        var endpoint = Endpoints(_app).First(endpoint => PathOf(endpoint) == "/herd.v1.ConversationService/ListModels");
        var context = await Send(_app, endpoint, port, key, "application/grpc");

        Assert.Equal(status, context.Response.Headers["grpc-status"]);
        Assert.Equal(StatusCodes.Status200OK, context.Response.StatusCode);
    }

    [Fact]
    public async Task Call_OverTheLimit_IsRefusedAndHealthDoesNotCount()
    {
        await using var app = Gateway("--Gateway:AdminPort=8082", "--Gateway:Limits:RequestsPerMinute=1");
        var models = Endpoints(app).First(endpoint => PathOf(endpoint) == "/v1/models");
        var health = Endpoints(app).First(endpoint => PathOf(endpoint) == "/health/live");

        Assert.Equal(HttpStatusCode.OK, await Call(app, health, PublicPort, "alice"));
        Assert.Equal(HttpStatusCode.OK, await Call(app, models, PublicPort, "alice"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await Call(app, models, PublicPort, "alice"));
        Assert.Equal(HttpStatusCode.OK, await Call(app, health, PublicPort, "alice"));
    }

    private static HttpStatusCode Expected(Access access, int port, string? key) => (access, port, key) switch
    {
        (Access.Scaler, ScalerPort, _) => HttpStatusCode.OK,
        (Access.Scaler, _, _) or (_, ScalerPort, _) => HttpStatusCode.Forbidden,
        (Access.Open, _, _) => HttpStatusCode.OK,
        (Access.Usage, AdminPort, _) => HttpStatusCode.Forbidden,
        (Access.Usage, _, "alice" or "rita" or "olga" or "reader" or "admin") => HttpStatusCode.OK,
        (Access.Usage, _, _) => HttpStatusCode.Unauthorized,
        (Access.AnyKey, AdminPort, "admin" or "reader") => HttpStatusCode.OK,
        (Access.AnyKey, PublicPort, "alice" or "rita" or "olga" or "reader" or "admin") => HttpStatusCode.OK,
        (Access.AnyKey, _, _) => HttpStatusCode.Unauthorized,
        (Access.Operator or Access.Reader, PublicPort, _) => HttpStatusCode.Forbidden,
        (Access.Operator or Access.Reader, AdminPort, "admin") => HttpStatusCode.OK,
        (Access.Reader, AdminPort, "reader") => HttpStatusCode.OK,
        (Access.Operator, AdminPort, "reader") => HttpStatusCode.Forbidden,
        (Access.Operator or Access.Reader, AdminPort, _) => HttpStatusCode.Unauthorized,
        (_, AdminPort, _) => HttpStatusCode.Forbidden,
        (Access.Metrics, _, "rita" or "olga" or "reader" or "admin") => HttpStatusCode.OK,
        (Access.Metrics, _, "alice") => HttpStatusCode.Forbidden,
        (Access.Tenant, _, "alice" or "rita" or "olga") => HttpStatusCode.OK,
        _ => HttpStatusCode.Unauthorized,
    };

    private static Access AccessOf(RouteEndpoint endpoint) => PathOf(endpoint) switch
    {
        var path when Open.Contains(path) => Access.Open,
        "/metrics" => Access.Metrics,
        "/herd.v1.ClusterService/ListNodes" or "/herd.v1.ClusterService/Diagnose" => Access.Reader,
        var path when path.StartsWith("/herd.v1.ClusterService/", StringComparison.Ordinal) => Access.Operator,
        var path when path.StartsWith("/grpc.reflection.", StringComparison.Ordinal) => Access.AnyKey,
        "/herd.v1.ConversationService/ListUsage" or "/herd/v1/usage" => Access.Usage,
        var path when path.StartsWith("/externalscaler.ExternalScaler/", StringComparison.Ordinal) => Access.Scaler,
        _ => Access.Tenant,
    };

    private static string PolicyOf(RouteEndpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
            ? "open"
            : endpoint.Metadata.GetMetadata<IAuthorizeData>()?.Policy ?? "fallback";

    private static IEnumerable<string> Named(IEnumerable<RouteEndpoint> endpoints, Access access) => endpoints
        .Where(endpoint => AccessOf(endpoint) == access).Select(PathOf).Distinct().Order(StringComparer.Ordinal);

    private static async Task<HttpStatusCode> Call(
        WebApplication app, RouteEndpoint? endpoint, int port, string? key) =>
        (HttpStatusCode)(await Send(app, endpoint, port, key)).Response.StatusCode;

    /// <summary>Sends a request through the pipeline. It answers 200 instead of running the endpoint.</summary>
    private static async Task<HttpContext> Send(
        WebApplication app, RouteEndpoint? endpoint, int port, string? key, string type = "application/json")
    {
        await using var scope = app.Services.CreateAsyncScope();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        context.Request.Path = endpoint is null ? "/nowhere" : PathOf(endpoint);
        context.Request.ContentType = type;
        context.Response.Body = new MemoryStream();
        context.Connection.LocalPort = port;
        if (key is not null)
        {
            context.Request.Headers.Authorization = $"Bearer {key}";
        }

        context.SetEndpoint(endpoint);
        var pipeline = ((IApplicationBuilder)app).New();
        pipeline.UseGateway();
        pipeline.Run(_ => Task.CompletedTask);
        await pipeline.Build()(context);
        return context;
    }

    private static string PathOf(RouteEndpoint endpoint) => "/" + endpoint.RoutePattern.RawText!.TrimStart('/');

    private static List<RouteEndpoint> Endpoints(WebApplication app) =>
        [.. ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()];

    /// <summary>A gateway with a key for each kind of caller.</summary>
    private static WebApplication Gateway(params string[] options) => Build(
    [
        $"--Gateway:Tenants:alice={TenantKeys.Hash("alice")}",
        $"--Gateway:Tenants:rita={TenantKeys.Hash("rita")}",
        $"--Gateway:Tenants:olga={TenantKeys.Hash("olga")}",
        "--Gateway:Readers:0=rita",
        "--Gateway:Operators:0=olga",
        $"--Gateway:AdminKeys:0={TenantKeys.Hash("admin")}",
        $"--Gateway:ReaderKeys:0={TenantKeys.Hash("reader")}",
        .. options,
    ]);

    private static WebApplication Build(string[] options)
    {
        var builder = WebApplication.CreateSlimBuilder(["--Cluster:Name=g", .. options]);
        builder.Logging.ClearProviders();
        builder.AddHerdGateway();
        builder.AddGateway();
        builder.Services.AddSingleton<ILimitCounts>(new LocalCounts(TimeProvider.System));
        var app = builder.Build();
        app.UseGateway();
        app.MapGateway();
        return app;
    }
}
