using System.Security.Cryptography;
using Google.Rpc;
using Herd.Contracts.Errors;
using Herd.Gateway.Grpc;
using Herd.Gateway.Hosting;
using Herd.Gateway.OpenAi;
using Herd.Gateway.Tenants;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Tests;

public sealed class ErrorTests
{
    [Fact]
    public void CodeOf_EveryError_IsAnError()
    {
        Assert.All(Enum.GetValues<HerdError>(), error => Assert.NotEqual(Code.Ok, ErrorInterceptor.CodeOf(error)));
        Assert.All(
            Enum.GetValues<HerdError>().Where(error => error != HerdError.Internal),
            error => Assert.NotEqual(Code.Internal, ErrorInterceptor.CodeOf(error)));
    }

    [Fact]
    public void Describe_ContextOverflow_HasBothNumbers()
    {
        var error = OpenAiErrors.Describe(new HerdException(HerdError.ContextOverflow, "too long", "messages")
            .With("prompt_tokens", 9000).With("context_tokens", 8192));

        Assert.Equal(("context_length_exceeded", "messages", 9000, 8192), (error.Code, error.Param, error.NPromptTokens, error.NCtx));
        Assert.Equal("invalid_request_error", error.Type);
    }

    [Fact]
    public void Find_KeysConfigured_TellsTenantsApart()
    {
        var directory = Directory(("alice", "key-a"), ("bob", "key-b"));

        Assert.Equal("alice", directory.Find("Bearer key-a"));
        Assert.Equal("bob", directory.Find("bearer key-b"));
        foreach (var wrong in new[] { null, "", "key-a", "Bearer ", "Bearer key-c", "Basic key-a" })
        {
            Assert.Equal(HerdError.Unauthenticated, Assert.Throws<HerdException>(() => directory.Find(wrong)).Error);
        }
    }

    [Fact]
    public void Find_NoKeysConfigured_IsEverybody()
    {
        Assert.Equal("default", Directory().Find(null));
    }

    [Fact]
    public void Validate_EverythingWrong_SaysEverything()
    {
        var result = new GatewayOptionsValidator().Validate(null, new GatewayOptions
        {
            Bind = "here", HttpPort = 0, GrpcPort = 70000, MaxBodyBytes = 1, Tenants = { ["a"] = "plain" }, SessionIdentity = ["cookie"],
        });

        Assert.Equal(6, result.Failures!.Count());
    }

    [Theory]
    [InlineData("0.0.0.0", false, false)]
    [InlineData("10.1.1.1", false, false)]
    [InlineData("::", false, false)]
    [InlineData("0.0.0.0", true, true)]
    [InlineData("127.0.0.1", false, true)]
    [InlineData("::1", false, true)]
    public void Validate_ReachedFromOtherMachines_NeedsKeys(string bind, bool hasKeys, bool isValid)
    {
        var options = new GatewayOptions { Bind = bind };
        if (hasKeys)
        {
            options.Tenants["alice"] = new string('0', 64);
        }

        Assert.Equal(isValid, new GatewayOptionsValidator().Validate(null, options).Succeeded);
    }

    private static TenantDirectory Directory(params (string Tenant, string Key)[] tenants) => new(Options.Create(new GatewayOptions
    {
        Tenants = tenants.ToDictionary(
            tenant => tenant.Tenant, tenant => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(tenant.Key)))),
    }));
}
