using Google.Rpc;
using Herd.Contracts.Errors;
using Herd.Gateway.Errors;
using Herd.Gateway.Grpc;
using Herd.Gateway.Hosting;
using Herd.Gateway.OpenAi;
using Herd.Gateway.Tenants;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Gateway.Tests.Errors;

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

    /// <summary>A process that was declared dead stops. Its last calls find disposed services.</summary>
    [Fact]
    public void Explain_ProcessEnds_SaysToTryAgain()
    {
        var error = ErrorResponses.Explain(
            new ObjectDisposedException("IServiceProvider"), "/", NullLogger<ErrorResponses>.Instance);

        Assert.Equal(HerdError.Unavailable, error.Error);
    }

    [Fact]
    public void Explain_UnexpectedException_IsInternal() => Assert.Equal(
        HerdError.Internal,
        ErrorResponses.Explain(new FormatException("x"), "/", NullLogger<ErrorResponses>.Instance).Error);

    /// <summary>A node does not know the interface of the request.</summary>
    [Theory]
    [InlineData("/v1/chat/completions", "logit_bias", "logit_bias")]
    [InlineData("/v1/chat/completions", "response_format", "response_format")]
    [InlineData("/v1/responses", "response_format", "text.format")]
    [InlineData("/api/chat", "response_format", "format")]
    [InlineData("/herd.v1.ConversationService/Converse", "response_format", "form")]
    [InlineData("/herd.v1.ConversationService/Chat", "logit_bias", "sampling.logit_bias")]
    [InlineData("/herd.v1.ConversationService/Chat", "tools", "tools")]
    public void Explain_ErrorOfANode_NamesTheFieldOfTheInterface(string path, string field, string name)
    {
        var thrown = new HerdException(HerdError.InvalidArgument, $"'{field}' is wrong.", field).With("token", 7);

        var error = ErrorResponses.Explain(thrown, path, NullLogger<ErrorResponses>.Instance);

        Assert.Equal(HerdError.InvalidArgument, error.Error);
        Assert.Equal(($"'{name}' is wrong.", name), (error.Message, error.Parameter));
        Assert.Equal("7", error.Details["token"]);
    }

    [Fact]
    public void Describe_ContextOverflow_HasBothNumbers()
    {
        var error = OpenAiErrors.Describe(new HerdException(HerdError.ContextOverflow, "too long", "messages")
            .With("prompt_tokens", 9000).With("context_tokens", 8192));

        Assert.Equal(("context_length_exceeded", "messages"), (error.Code, error.Param));
        Assert.Equal((9000, 8192), (error.NPromptTokens, error.NCtx));
        Assert.Equal("invalid_request_error", error.Type);
    }

    [Fact]
    public void Validate_EverythingWrong_ReportsEverything()
    {
        var result = new GatewayOptionsValidator().Validate(null, new GatewayOptions
        {
            Bind = "here",
            HttpPort = 0,
            GrpcPort = 70000,
            AdminPort = 70000,
            AdminBind = "0.0.0.0",
            MaxBodyBytes = 1,
            Retention = TimeSpan.Zero,
            Tenants = { ["a"] = "plain" },
            Operators = ["b"],
            SessionIdentity = ["cookie"],
            Readers = ["c"],
            AdminKeys = [],
            ReaderKeys = ["plain"],
            AdminKeyFile = "/nowhere",
            TenantsFile = "/nowhere",
            Limits = new TenantLimits { Streams = 0 },
            Jwt = new JwtOptions { Authority = "http://plain" },
            Certificate = "/nowhere.pem",
        });

        Assert.Equal(19, result.Failures!.Count());
    }

    [Theory]
    [InlineData("0.0.0.0", false, false)]
    [InlineData("10.1.1.1", false, false)]
    [InlineData("::", false, false)]
    [InlineData("0.0.0.0", true, true)]
    [InlineData("127.0.0.1", false, true)]
    [InlineData("::1", false, true)]
    public void Validate_OpenToOtherMachines_NeedsKeys(string bind, bool hasKeys, bool isValid)
    {
        var options = new GatewayOptions { Bind = bind };
        if (hasKeys)
        {
            options.Tenants["alice"] = new string('0', 64);
        }

        Assert.Equal(isValid, new GatewayOptionsValidator().Validate(null, options).Succeeded);
    }

    /// <summary>The file of the operators' key holds a key, and only its owner reads it.</summary>
    [Theory]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    [InlineData("0123456789abcdef\n", UnixFileMode.UserRead | UnixFileMode.UserWrite, null)]
    [InlineData("short\n", UnixFileMode.UserRead | UnixFileMode.UserWrite, "no key of at least 16 characters")]
    [InlineData("", UnixFileMode.UserRead | UnixFileMode.UserWrite, "no key of at least 16 characters")]
    [InlineData("0123456789abcdef\n", UnixFileMode.UserRead | UnixFileMode.OtherRead, "Set its mode to 600")]
    public void Validate_FileOfTheOperatorsKey_IsPrivateAndWhole(string content, UnixFileMode mode, string? error)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, content);
            File.SetUnixFileMode(path, mode);

            var result = new GatewayOptionsValidator().Validate(null, new GatewayOptions { AdminKeyFile = path });

            Assert.Contains(error ?? "", result.FailureMessage ?? "", StringComparison.Ordinal);
            Assert.Equal(error is null, result.Succeeded);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
