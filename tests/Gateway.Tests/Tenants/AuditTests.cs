using System.Net;
using Herd.Contracts.Errors;
using Herd.Gateway.Tenants;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Herd.Gateway.Tests.Tenants;

public sealed class AuditTests : IDisposable
{
    private static readonly Tenant Admin = new("key 01234567", TenantRole.Operator, new TenantLimits());
    private static readonly Tenant Olga = new("olga", TenantRole.Operator, new TenantLimits());

    private readonly AuditLines _lines = new();

    public void Dispose() => _lines.Dispose();

    [Fact]
    public async Task Call_ThatSucceeds_LeavesWhoWhatAndResult()
    {
        await Call(NewContext(new TenantIdentity(Admin, AccessPolicies.OperatorScheme)), context =>
        {
            Audit.Describe(context, "node node-2, model m");
            context.Features.Get<IHttpResponseTrailersFeature>()!.Trailers["grpc-status"] = "0";
            return Task.CompletedTask;
        });

        Assert.Equal(["key 01234567 from 10.1.2.3 called LoadModel (node node-2, model m): Ok"], _lines.All);
    }

    [Fact]
    public async Task Call_ThatFails_LeavesTheStatus()
    {
        await Call(NewContext(new TenantIdentity(Olga, AccessPolicies.TenantScheme)), context =>
        {
            context.Response.Headers["grpc-status"] = "5";
            return Task.CompletedTask;
        });

        Assert.Equal(["tenant 'olga' from 10.1.2.3 called LoadModel (-): NotFound"], _lines.All);
    }

    /// <summary>A refused caller leaves a line too, and is refused.</summary>
    [Fact]
    public async Task Call_Refused_LeavesALine()
    {
        await Assert.ThrowsAsync<HerdException>(() => Call(
            NewContext(null), _ => throw new HerdException(HerdError.Unauthenticated, "no key")));

        Assert.Equal(["An unknown caller from 10.1.2.3 called LoadModel (-): Unauthenticated"], _lines.All);
    }

    /// <summary>A caller's text neither begins a line of its own nor fills the log.</summary>
    [Fact]
    public async Task Call_HostileSubject_StaysOnOneShortLine()
    {
        await Call(NewContext(null), context =>
        {
            Audit.Describe(context, "node \n\r\u001b[2J\u2028\u202e" + new string('x', 5000));
            return Task.CompletedTask;
        });

        var line = Assert.Single(_lines.All);
        Assert.InRange(line.Length, 256, 400);
        Assert.Contains("(node ???[2J??xxx", line, StringComparison.Ordinal);
        Assert.Contains("xxx...): OK", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_OfAnotherEndpoint_LeavesNothing()
    {
        var context = NewContext(null);
        context.SetEndpoint(null);

        await Call(context, _ => Task.CompletedTask);

        Assert.Empty(_lines.All);
    }

    private Task Call(HttpContext context, RequestDelegate next) =>
        new AuditTrail(next, new Audit(_lines)).Invoke(context);

    private static DefaultHttpContext NewContext(TenantIdentity? caller)
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpResponseTrailersFeature>(new Trailers());
        context.Request.Path = "/herd.v1.ClusterService/LoadModel";
        context.Connection.RemoteIpAddress = IPAddress.Parse("10.1.2.3");
        context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(new Audited()), "LoadModel"));
        if (caller is not null)
        {
            context.User.AddIdentity(caller);
        }

        return context;
    }

    private sealed class Trailers : IHttpResponseTrailersFeature
    {
        IHeaderDictionary IHttpResponseTrailersFeature.Trailers { get; set; } = new HeaderDictionary();
    }
}
